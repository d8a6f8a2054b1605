import { PostroomError } from './errors.ts';
import type { Row } from './tables.ts';

// Limits of the service. Azurite does not enforce them:
// https://learn.microsoft.com/rest/api/storageservices/understanding-the-table-service-data-model
const MAX_ENTITY_BYTES = 1024 * 1024;
const MAX_PROPERTIES = 252;
const MAX_STRING_CHARACTERS = 32 * 1024;
const MAX_BINARY_BYTES = 64 * 1024;
const MAX_KEY_CHARACTERS = 512;
const PROPERTY_NAME = /^[A-Za-z_][A-Za-z0-9_]{0,254}$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: the service refuses exactly these in keys
const BAD_KEY = /[/\\#?\u0000-\u001f\u007f-\u009f]/;

/**
 * Size of an entity in bytes, by Azure's formula: 4 + 2 per character of the keys, then per property 8 +
 * name + value.
 */
export function sizeOfRow(row: Row): number {
  let bytes = 4 + 2 * (row.partitionKey.length + row.rowKey.length);
  for (const [name, value] of Object.entries(row)) {
    if (name === 'partitionKey' || name === 'rowKey' || name === 'etag' || value === undefined) continue;
    bytes += 8 + 2 * name.length + sizeOfValue(value);
  }
  return bytes;
}

function sizeOfValue(value: string | number | boolean | Uint8Array): number {
  if (typeof value === 'string') return 4 + 2 * value.length;
  if (typeof value === 'boolean') return 1;
  if (typeof value === 'number') return 8;
  return 4 + value.byteLength;
}

/**
 * Rejects a row that Table Storage would reject.
 * @throws PostroomError `row-too-large` or `bad-key`, naming the row but never its content
 */
export function assertRowFits(row: Row): void {
  const where = `${row.partitionKey}/${row.rowKey}`;
  for (const key of [row.partitionKey, row.rowKey])
    if (BAD_KEY.test(key) || key.length > MAX_KEY_CHARACTERS)
      throw new PostroomError(
        'bad-key',
        `A row has a key that the table does not accept: ${JSON.stringify(where)}`,
      );
  const columns = Object.entries(row).filter(
    ([name, value]) => value !== undefined && name !== 'partitionKey' && name !== 'rowKey' && name !== 'etag',
  );
  if (columns.length > MAX_PROPERTIES)
    throw new PostroomError('row-too-large', `${where} has ${columns.length} columns; ${MAX_PROPERTIES} fit`);
  for (const [name, value] of columns) {
    if (!PROPERTY_NAME.test(name))
      throw new PostroomError('row-too-large', `${where}: bad column name ${name}`);
    if (typeof value === 'string' && value.length > MAX_STRING_CHARACTERS)
      throw new PostroomError('row-too-large', `${where}.${name} has ${value.length} characters`);
    if (value instanceof Uint8Array && value.byteLength > MAX_BINARY_BYTES)
      throw new PostroomError('row-too-large', `${where}.${name} has ${value.byteLength} bytes`);
    if (typeof value === 'number' && (!Number.isInteger(value) || Math.abs(value) > 2 ** 31 - 1))
      throw new PostroomError('row-too-large', `${where}.${name}: ${value} is not a 32-bit integer`);
  }
  const size = sizeOfRow(row);
  if (size > MAX_ENTITY_BYTES)
    throw new PostroomError('row-too-large', `${where} takes ${size} bytes; ${MAX_ENTITY_BYTES} fit`);
}
