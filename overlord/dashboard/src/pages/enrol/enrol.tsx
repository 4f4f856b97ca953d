import { useState } from 'react';
import type { CreatedEnrolmentToken } from '@metrica-fleet/protocol/api';
import { useMay } from '../../session/session.ts';
import { Notice } from '../../ui/notice.tsx';
import { Page } from '../../ui/page.tsx';
import { NewToken } from './new-token.tsx';
import { OpenTokens } from './open-tokens.tsx';
import { PrintedLine } from './printed-line.tsx';
import { WaitingRoom } from './waiting-room.tsx';

/** How devices join: a token, the line that carries it to a Pi, and who has come so far. */
export default function EnrolPage() {
  const mayEnrol = useMay('operator');
  const [created, setCreated] = useState<CreatedEnrolmentToken | null>(null);
  if (!mayEnrol) {
    return (
      <Page title="Enrol">
        <Notice state="held" title="Enrolling devices takes the role operator.">
          Ask an admin of this fleet.
        </Notice>
      </Page>
    );
  }
  return (
    <Page
      title="Enrol"
      lead="A Raspberry Pi joins by one line in its terminal. It brings what it needs by itself."
    >
      <WaitingRoom />
      {created === null ? (
        <NewToken onCreated={setCreated} />
      ) : (
        <PrintedLine created={created} onAnother={() => setCreated(null)} />
      )}
      <OpenTokens />
    </Page>
  );
}
