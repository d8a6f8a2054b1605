import type { Context } from 'hono';
import type { Flash } from '../../shared/ui/page.tsx';

/** The text fields of a posted form; files and repeated fields have no place in our forms. */
export async function typedFields(c: Context): Promise<Record<string, string>> {
  const body = await c.req.parseBody();
  const fields: Record<string, string> = {};
  for (const [name, value] of Object.entries(body)) if (typeof value === 'string') fields[name] = value;
  return fields;
}

/** The notice of a `?said=` code, from the page's own list. */
export function flashOf(c: Context, said: Readonly<Record<string, Flash>>): Flash | undefined {
  const code = c.req.query('said');
  return code !== undefined && Object.hasOwn(said, code) ? said[code] : undefined;
}
