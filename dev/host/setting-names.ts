/**
 * Puts the values of settings in the place of `%NAME%`, as the Functions host does.
 * @param whose names the function in the error.
 * @throws Error in words when a setting is missing.
 */
export function resolveSettings(text: string, whose: string): string {
  return text.replace(/%(\w+)%/g, (_whole, name: string) => {
    const value = process.env[name];
    if (value === undefined || value === '')
      throw new Error(`The setting ${name} is missing: ${whose} needs it.`);
    return value;
  });
}
