/** A day that a form accepts as the end of a secret, on whatever day the test runs. Such as 2027-11-29. */
export const IN_A_YEAR: string = new Date(Date.now() + 365 * 86_400_000).toISOString().slice(0, 10);
