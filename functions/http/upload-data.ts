import type { Context } from 'hono';
import { HTTPException } from 'hono/http-exception';

/** A posted form with files. */
export interface UploadData {
  fields: Readonly<Record<string, string>>;
  /** Chosen files, from all file fields. */
  files: readonly File[];
}

/**
 * Reads a form with files, in memory: its route limits the size.
 * @throws HTTPException 400 for a body that is not a form: browsers don't send one
 */
export async function uploadData(c: Context): Promise<UploadData> {
  // Read before parsing, to distinguish a broken connection from an invalid form.
  await c.req.arrayBuffer();
  const body = await c.req.parseBody({ all: true }).catch((cause: unknown) => {
    throw new HTTPException(400, { message: 'The body is no form', cause });
  });
  const fields: Record<string, string> = {};
  const files: File[] = [];
  for (const [name, value] of Object.entries(body))
    for (const each of Array.isArray(value) ? value : [value])
      if (typeof each === 'string') fields[name] = each;
      // A file field in which nothing was chosen is posted as a file without a name.
      else if (each.name !== '') files.push(each);
  return { fields, files };
}
