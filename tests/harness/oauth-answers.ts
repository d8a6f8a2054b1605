import type { OAuthClient } from '../../shared/accounts/oauth-client.ts';

const unexpected = (): never => {
  throw new Error('this test expects no such request to the provider');
};

/**
 * An OAuth client whose responses the test scripts, without a network: for tests in memory of the logic above the
 * client, such as races between processes, crashes between two steps, and failures that no emulator can be put into.
 * A request without a scripted response fails the test.
 *
 * It imitates the results of `OAuthClient`, not a provider, and has no behavior of its own, so there is nothing for a
 * contract suite to test: the compiler keeps its shape equal to the interface. tests/accounts/oauth-client.test.ts tests
 * the real client against a server; tests/accounts/access-tokens.test.ts runs the logic above it with the real client
 * and the Entra emulator.
 */
export const oauthAnswers = (answers: Partial<OAuthClient>): OAuthClient => ({
  reach: unexpected,
  authorizationAddress: unexpected,
  redeem: unexpected,
  refresh: unexpected,
  clientCredentials: unexpected,
  ...answers,
});
