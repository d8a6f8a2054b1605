import type { Context } from 'hono';
import { HTTPException } from 'hono/http-exception';
import type { Flash } from '../../shared/ui/page.tsx';

/**
 * The text fields of a posted form; our forms have no files or repeated fields.
 * @throws HTTPException 400 for a body that is not a form: browsers don't send one
 */
export async function formData(c: Context): Promise<Record<string, string>> {
  // Read before parsing, to distinguish a broken connection from an invalid form.
  await c.req.arrayBuffer();
  const body = await c.req.parseBody().catch((cause: unknown) => {
    throw new HTTPException(400, { message: 'The body is not a form', cause });
  });
  const fields: Record<string, string> = {};
  for (const [name, value] of Object.entries(body)) if (typeof value === 'string') fields[name] = value;
  return fields;
}

/** The message of a `?flash=` code, from the page's own list. */
export function flashOf(c: Context, flashes: Readonly<Record<string, Flash>>): Flash | undefined {
  const code = c.req.query('flash');
  return code !== undefined && Object.hasOwn(flashes, code) ? flashes[code] : undefined;
}
