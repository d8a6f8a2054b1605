/**
 * Replaces `%NAME%` by the value of the setting, as the Functions host does.
 * @param whose the function, for the error message
 * @throws Error with a readable message when a setting is missing
 */
export function resolveSettings(text: string, whose: string): string {
  return text.replace(/%(\w+)%/g, (_whole, name: string) => {
    const value = process.env[name];
    if (value === undefined || value === '')
      throw new Error(`The setting ${name} is missing: ${whose} needs it.`);
    return value;
  });
}
