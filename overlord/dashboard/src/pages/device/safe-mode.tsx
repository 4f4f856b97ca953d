import type { DeviceDetail } from '@metrica-fleet/protocol/api';
import { Notice } from '../../ui/notice.tsx';
import { Ago } from '../../ui/time.tsx';

type Seen = NonNullable<NonNullable<DeviceDetail['status']>['safeMode']>;

/** A device in safe mode: how somebody on its network, or the dashboard, gets it going again. */
export function SafeMode({
  safeMode: { reason, since, code, address },
  isSaid,
}: {
  safeMode: Seen;
  /** Whether the reason stands among the problems. */
  isSaid: boolean;
}) {
  return (
    <Notice
      state="failed"
      title={
        <>
          It is in safe mode
          {since !== null && (
            <>
              {' '}
              since <Ago at={since} />
            </>
          )}
          .
        </>
      }
    >
      {!isSaid && <p>{reason}</p>}
      <p>
        Its stack is stopped, and it shows why on a page of its own
        {address !== null && (
          <>
            {': '}
            <a className="text-ink underline" href={address} rel="noreferrer">
              {address}
            </a>
          </>
        )}
        . That page works on the device’s own network, and its button wants{' '}
        {code === null ? (
          'the code that the screen at the device shows'
        ) : (
          <>
            the code <code className="font-mono font-medium text-ink">{groups(code)}</code>
          </>
        )}
        . «Redeploy» here does the same from anywhere; so does a newer release.
      </p>
    </Notice>
  );
}

/** `ABCD-EFGH` is read out more easily than eight letters in a row. */
function groups(code: string): string {
  return code.replace(/^(.{4})(?=.)/, '$1-');
}
