/** The one element that a selector of this page names. */
export function element<T extends HTMLElement = HTMLElement>(selector: string, within: ParentNode = document): T {
  const found = within.querySelector<T>(selector);
  if (!found) throw new Error(`the page has no ${selector}`);
  return found;
}

/** What a template of this page holds, once more. */
export function instance(template: string): HTMLElement {
  const { content } = element<HTMLTemplateElement>(`template#${template}`);
  return content.firstElementChild?.cloneNode(true) as HTMLElement;
}
