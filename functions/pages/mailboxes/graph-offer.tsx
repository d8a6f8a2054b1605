import type { JSX } from 'hono/jsx/jsx-runtime';
import {
  type ConnectionTest,
  explainStep,
  failedStep,
} from '../../../shared/connection-test/connection-test.ts';
import type { ConnectFailure } from '../../../shared/mailboxes/connect-inbox.ts';
import { graphHintFor, graphOffer, graphSendingOffer } from '../../../shared/mailboxes/graph-hint.ts';
import type { Mailbox } from '../../../shared/mailboxes/mailbox.ts';
import { isSending } from '../../../shared/mailboxes/mailbox-form.ts';
import { paths } from '../../../shared/paths/paths.ts';
import type { Config } from '../../../shared/platform/config.ts';
import type { Code } from '../../../shared/platform/problem.ts';
import { presetNamed } from '../../../shared/providers/presets.ts';
import type { Provider } from '../../../shared/providers/provider.ts';
import { SubmitButton } from '../../../shared/ui/forms.tsx';

/** Why Microsoft Graph may help a mailbox that could not be opened; undefined: it does not. Pure. */
export function graphOfferFor(
  config: Pick<Config, 'demo'>,
  provider: Provider | undefined,
  mailbox: Mailbox,
  failure: Pick<ConnectFailure, 'code' | 'said'> | undefined,
): string | undefined {
  const preset = provider && presetNamed(provider.preset, config, provider.cloud);
  if (preset?.graph === undefined || failure === undefined) return undefined;
  const hint = graphHintFor(mailbox, failure);
  return hint && graphOffer(mailbox, hint);
}

/**
 * The failure of the last test of reading, as a fetch would have it; undefined when it did not fail, or the
 * protocol was seen to work. Pure.
 */
export function failureOfTest(
  tests: readonly ConnectionTest[],
): Pick<ConnectFailure, 'code' | 'said'> | undefined {
  const reading = tests.find(({ protocol }) => !isSending(protocol));
  const step = reading && failedStep(reading);
  if (step === undefined || step.protocolWorks === true) return undefined;
  return { code: explainStep(step, {}).code, said: step.evidence };
}

/** Why Microsoft Graph may help a mailbox whose email SMTP refused with this code; undefined: it does not. Pure. */
export function sendingOfferFor(
  config: Pick<Config, 'demo'>,
  provider: Provider | undefined,
  mailbox: Mailbox,
  code: Code | undefined,
): string | undefined {
  const preset = provider && presetNamed(provider.preset, config, provider.cloud);
  return preset?.graph && graphSendingOffer(mailbox, code);
}

/** The code of the last test of sending; undefined when it did not fail, or there was none. Pure. */
export function failureOfSending(tests: readonly ConnectionTest[]): Code | undefined {
  const sending = tests.find(({ protocol }) => isSending(protocol));
  const step = sending && failedStep(sending);
  return step && explainStep(step, {}).code;
}

export function SendingGraphOffer(props: {
  mailbox: Pick<Mailbox, 'id'>;
  offer: string | undefined;
}): JSX.Element | null {
  const { mailbox, offer } = props;
  if (offer === undefined) return null;
  return (
    <form method="post" action={paths.sendOverGraph(mailbox)}>
      <p>{offer}</p>
      <SubmitButton kind="secondary">Send over Microsoft Graph instead</SubmitButton>
    </form>
  );
}

export function GraphOffer(props: { mailbox: Mailbox; offer: string | undefined }): JSX.Element | null {
  const { mailbox, offer } = props;
  if (offer === undefined) return null;
  return (
    <form method="post" action={paths.readOverGraph(mailbox)}>
      <p>{offer}</p>
      <SubmitButton kind="secondary">Read over Microsoft Graph instead</SubmitButton>
    </form>
  );
}
