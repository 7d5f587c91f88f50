import { type Application, Converter } from 'typedoc';
import { DOORS } from './nav.ts';

/** A plugin of TypeDoc: modules are named as they are imported. */
export function load(app: Application): void {
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const reflection of project.children ?? []) {
      const door = DOORS[`${reflection.name}.ts`] ?? DOORS[`${reflection.name}/index.ts`];
      if (door) reflection.name = door;
    }
  });
}
