/** The native import, for callers that load this file with `require`. */
export function importModule(url: string): Promise<unknown> {
  return import(url);
}
