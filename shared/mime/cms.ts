import { Constructed, fromBER, ObjectIdentifier, OctetString, Sequence } from 'asn1js';

/** CMS, the format of `smime.p7m` in S/MIME (RFC 5652). Signatures are not verified. */

const SIGNED_DATA = '1.2.840.113549.1.7.2';

/**
 * The signed content, a MIME entity of its own (RFC 8551 §3.5.2). Undefined for
 * everything else, including a detached signature.
 */
export function signedContent(bytes: Uint8Array): Uint8Array | undefined {
  try {
    const { result, offset } = fromBER(bytes);
    if (offset < 0 || !(result instanceof Sequence)) return undefined;
    const [type, tagged] = result.valueBlock.value;
    if (!(type instanceof ObjectIdentifier) || type.valueBlock.toString() !== SIGNED_DATA) return undefined;
    // SignedData: version, digestAlgorithms, encapContentInfo with the
    // content type and the content (§5.1, §5.2).
    const signedData = insideTag(tagged);
    const encapsulated = signedData instanceof Sequence ? signedData.valueBlock.value[2] : undefined;
    const content =
      encapsulated instanceof Sequence ? insideTag(encapsulated.valueBlock.value[1]) : undefined;
    return content instanceof OctetString ? new Uint8Array(content.getValue()) : undefined;
  } catch {
    // The library throws on invalid ASN.1, and deep nesting overflows the stack.
    return undefined;
  }
}

const insideTag = (tagged: unknown): unknown =>
  tagged instanceof Constructed ? tagged.valueBlock.value[0] : undefined;
