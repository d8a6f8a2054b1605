import { describe, expect, it } from 'vitest';
import { presetNamed, protocols } from '../../shared/providers/presets.ts';
import { wayFields, waysIn, waysOffered, waysProblem } from '../../shared/providers/ways.ts';

const offered = (name: string) => {
  const preset = presetNamed(name, { demo: undefined });
  return preset === undefined ? [] : waysOffered(preset);
};

describe('the ways to read and send email', () => {
  it('are all offered for Microsoft 365, each with its permission', () => {
    expect(
      offered('microsoft')
        .map(({ protocol }) => protocol)
        .toSorted(),
    ).toEqual(protocols.toSorted());
    expect(offered('microsoft').find(({ protocol }) => protocol === 'graph')?.hint).toContain(
      'Mail.ReadWrite.',
    );
  });

  it('are not offered where the choice changes no permission', () => {
    expect(offered('google')).toEqual([]);
    expect(offered('custom')).toEqual([]);
  });

  it('are read back from the fields that show them', () => {
    expect(waysIn(wayFields(['graph', 'smtp']))).toEqual(['smtp', 'graph']);
    expect(waysIn({ imap: 'off', pop3: '' })).toEqual([]);
  });

  it.each([[[]], [['smtp']], [['graph-send', 'graph-push']]] as const)('%j read no email', (ways) => {
    expect(waysProblem(ways)).toContain('Choose at least one way to read email');
  });

  it.each(['imap', 'pop3', 'graph'] as const)('%s alone is enough', (way) => {
    expect(waysProblem([way])).toBeUndefined();
  });
});
