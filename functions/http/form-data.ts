import type { Context } from 'hono';
import { HTTPException } from 'hono/http-exception';
import type { Flash } from '../../shared/ui/page.tsx';

/**
 * The text fields of a posted form; files and repeated fields have no place in our forms.
 * @throws HTTPException 400 for a body that is no form: no browser sends one
 */
export async function formData(c: Context): Promise<Record<string, string>> {
  // Read before it is parsed, so that a connection that breaks off is told apart from a form that is none.
  await c.req.arrayBuffer();
  const body = await c.req.parseBody().catch((cause: unknown) => {
    throw new HTTPException(400, { message: 'The body is no form', cause });
  });
  const fields: Record<string, string> = {};
  for (const [name, value] of Object.entries(body)) if (typeof value === 'string') fields[name] = value;
  return fields;
}

/** The alert of a `?flash=` code, from the page's own list. */
export function flashOf(c: Context, said: Readonly<Record<string, Flash>>): Flash | undefined {
  const code = c.req.query('flash');
  return code !== undefined && Object.hasOwn(said, code) ? said[code] : undefined;
}
