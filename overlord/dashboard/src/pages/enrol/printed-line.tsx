import { useId } from 'react';
import type { CreatedEnrolmentToken } from '@metrica-fleet/protocol/api';
import { Button } from '../../ui/button.tsx';
import { CopyButton } from '../../ui/copy-button.tsx';
import { Section } from '../../ui/page.tsx';
import { Moment } from '../../ui/time.tsx';
import { Newcomers } from './newcomers.tsx';

/** The line to run on a Pi, and live under it who has come. */
export function PrintedLine({
  created,
  onAnother,
}: {
  created: CreatedEnrolmentToken;
  onAnother: () => void;
}) {
  const { enrolmentToken, command } = created;
  const line = useId();
  return (
    <Section title="Run this on the Pi">
      <div className="grid gap-4 rounded border border-line p-4">
        <p className="text-14 text-ink-2">
          In a terminal on the Pi, or over SSH; Raspberry Pi OS or Debian with systemd. It says what it
          changes before it does. The line carries a secret and{' '}
          <strong className="font-medium text-ink">is shown only now</strong>:{' '}
          {enrolmentToken.uses === 1
            ? 'it lets one device join'
            : `it lets ${enrolmentToken.uses} devices join`}
          , until <Moment at={enrolmentToken.expiresAt} />.
        </p>
        <div className="grid gap-2">
          <pre
            id={line}
            tabIndex={0}
            aria-label="The line"
            className="overflow-x-auto rounded border border-line bg-sunken p-3 font-mono text-12 whitespace-pre-wrap break-all"
          >
            {command}
          </pre>
          <div className="flex flex-wrap gap-2">
            <CopyButton look="primary" text={command} selects={line}>
              Copy the line
            </CopyButton>
            <Button onClick={onAnother}>Make another</Button>
          </div>
        </div>
        <Newcomers token={enrolmentToken} />
      </div>
    </Section>
  );
}
