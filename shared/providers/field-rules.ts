import type { EndpointRules } from './endpoint-safety.ts';
import type { PresetTraits } from './presets.ts';

/** A pattern that one field must or must not match. The browser checks the same rules during input. */
export interface FieldRule {
  /** Regular expression for the trimmed text, case-insensitive. */
  pattern: string;
  /** False: matching text is rejected. */
  wanted: boolean;
  sentence: string;
}
export type FieldRules = Readonly<Record<string, readonly FieldRule[]>>;

export const GUID = '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$';
const DOMAIN = '^(?=.{4,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\\.)+[a-z]{2,63}$';
export const WHERE_IDS = 'Copy it from the overview page of the app registration.';

export const wanted = (pattern: string, sentence: string): FieldRule => ({ pattern, wanted: true, sentence });
export const refused = (pattern: string, sentence: string): FieldRule => ({
  pattern,
  wanted: false,
  sentence,
});

/** The rules of the provider form, by field. Pure. */
export function providerRules(
  preset: Pick<PresetTraits, 'clientIdRules' | 'secretRules'>,
  { local }: EndpointRules,
): FieldRules {
  const address = [wanted(local ? '^https?://' : '^https://', 'The address must begin with https://.')];
  return {
    issuer: address,
    authorizationEndpoint: address,
    tokenEndpoint: address,
    name: [wanted('^.{1,80}$', 'The name must be 80 characters or fewer.')],
    tenant: [
      refused(
        '^(?:common|consumers)$',
        'Postroom reads work mailboxes: enter the tenant ID, or “organizations” for a multitenant app.',
      ),
      wanted(
        `${GUID}|${DOMAIN}|^organizations$`,
        `A tenant ID looks like 11111111-2222-3333-4444-555555555555. ${WHERE_IDS}`,
      ),
    ],
    clientId: [...preset.clientIdRules, wanted('^\\S{1,512}$', 'The client ID must be one word.')],
    secret: [...preset.secretRules, wanted('^\\S{1,4096}$', 'The secret must be one word without spaces.')],
    // The characters of a scope: RFC 6749 section 3.3.
    scopes: [
      wanted(
        '^(?=.{1,2000}$)[\\x21\\x23-\\x5b\\x5d-\\x7e]+(?:\\s+[\\x21\\x23-\\x5b\\x5d-\\x7e]+)*$',
        'Scopes are words or URLs separated by spaces.',
      ),
    ],
  };
}

/** The sentence of the first rule that the text breaks; undefined for valid text. Pure. */
export function ruleProblem(text: string, rules: readonly FieldRule[] | undefined): string | undefined {
  return rules?.find((rule) => new RegExp(rule.pattern, 'i').test(text) !== rule.wanted)?.sentence;
}
