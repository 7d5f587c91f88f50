const PLACE = 'effectively-once:token';
const GIVEN = /^#token=([\w-]+)$/;

/** The token from the address, which is out of sight from then on. Kept for other tabs, and for a reload. */
export function tokenOf(): string | undefined {
  const [, given] = GIVEN.exec(location.hash) ?? [];
  if (given === undefined) return localStorage.getItem(PLACE) ?? undefined;
  localStorage.setItem(PLACE, given);
  history.replaceState(undefined, '', '#');
  return given;
}

// The address of a console that was started anew, in a tab of the old one.
addEventListener('hashchange', () => {
  if (GIVEN.test(location.hash)) location.reload();
});
