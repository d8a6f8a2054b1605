import { readFileSync } from 'node:fs';

export type ConfigTemplate = 'dovecot.conf' | 'passdb.conf' | 'token-rule.conf' | 'main.cf' | 'master.cf';

/**
 * The text of a configuration file of this folder, with a value for each `{{placeholder}}`.
 * @throws Error for a placeholder without a value, and for a value that has no placeholder
 */
export function fillConfig(
  template: ConfigTemplate,
  values: Readonly<Record<string, string | number>>,
): string {
  const unused = new Set(Object.keys(values));
  const text = readFileSync(new URL(template, import.meta.url), 'utf8');
  const filled = text.replace(/\{\{(\w+)\}\}/g, (_placeholder, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`${template} needs a value for ${name}.`);
    unused.delete(name);
    return String(value);
  });
  if (unused.size > 0) throw new Error(`${template} has no place for ${[...unused].join(', ')}.`);
  return filled;
}
