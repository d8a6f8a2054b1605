/** The language's own import, for whoever loads this file with `require`. */
export function importModule(url: string): Promise<unknown> {
  return import(url);
}
