import { findHeaderEnd } from './header-end.ts';
import { latin1, splitFields, unfold } from './raw-headers.ts';

/** The first delimiter must be within this many bytes of the body. */
const SEARCHED_BYTES = 256 * 1024;

/**
 * Repairs an email that declares a multipart without a boundary, or with one that occurs nowhere in it, as
 * some gateways and scripts write them. The boundary is taken from the delimiters: the first line that begins
 * with two dashes and precedes a part header.
 * @param email prepared by `prepareMessage`
 * @returns the email with that boundary declared; undefined if nothing is wrong or no delimiter is found
 */
export function withFoundBoundary(email: Uint8Array): Uint8Array | undefined {
  const bodyStart = findHeaderEnd(email);
  const field = splitFields(email.subarray(0, bodyStart)).find(({ name }) => name === 'content-type');
  const contentType = field === undefined ? '' : latin1(unfold(field.value).subarray(0, 4_000));
  const type = /^multipart\/[a-z-]{1,40}/i.exec(contentType)?.[0];
  if (field === undefined || type === undefined) return undefined;

  const body = Buffer.from(email.buffer, email.byteOffset + bodyStart, email.byteLength - bodyStart);
  const declared = boundaryIn(contentType);
  if (declared !== undefined && body.includes(`--${declared}`, 0, 'latin1')) return undefined;
  const found = /^--([^\r\n"\\]{1,200}?)[ \t]{0,99}\r?\nContent-[a-z-]{1,40}[ \t]{0,9}:/im.exec(
    latin1(body.subarray(0, SEARCHED_BYTES)),
  )?.[1];
  if (found === undefined) return undefined;
  const start = field.raw.byteOffset - email.byteOffset;
  return Buffer.concat([
    email.subarray(0, start),
    Buffer.from(`Content-Type: ${type}; boundary="${found}"\r\n`, 'latin1'),
    email.subarray(start + field.raw.byteLength),
  ]);
}

function boundaryIn(contentType: string): string | undefined {
  const [, quoted, bare] = /;\s*boundary\s*=\s*(?:"([^"]+)"|([^\s;]+))/i.exec(contentType) ?? [];
  return (quoted ?? bare)?.trimEnd();
}
