import { describe, expect, it } from 'vitest';
import { numbersInAddresses, plusAddress, replyToOf } from '../../shared/tickets/plus-address.ts';

const address = 'support@contoso.example';

describe('a plus-address', () => {
  it('names a ticket and is read again, in any case', () => {
    expect(plusAddress(address, 12)).toBe('support+12@contoso.example');
    expect(numbersInAddresses(['Support+12@Contoso.example', address], address)).toEqual([12]);
  });

  it.each([
    'support+012@contoso.example',
    'support+x@contoso.example',
    'support+12@other.example',
    'sales+12@contoso.example',
    'support+1234567890@contoso.example',
    address,
  ])('is not %s', (other) => {
    expect(numbersInAddresses([other], address)).toEqual([]);
  });

  it('is the address for replies only by setting', () => {
    expect(replyToOf({ address, answers: { plusAddress: true } }, 7)).toBe('support+7@contoso.example');
    expect(replyToOf({ address, answers: {} }, 7)).toBeUndefined();
    expect(replyToOf({ address }, 7)).toBeUndefined();
  });
});
