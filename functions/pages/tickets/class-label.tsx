import type { JSX } from 'hono/jsx/jsx-runtime';
import { classNames, type MessageClass } from '../../../shared/message-class/message-class.ts';
import { StatusLabel } from '../../../shared/ui/lists.tsx';

/** The class of automated email; renders nothing for a person's. */
export function ClassLabel(props: { of: MessageClass | undefined }): JSX.Element | null {
  if (props.of === undefined || props.of === 'person') return null;
  const needsLook = props.of === 'bounce' || props.of === 'complaint';
  return <StatusLabel kind={needsLook ? 'warn' : 'quiet'}>{classNames[props.of]}</StatusLabel>;
}
