import { useAnswer } from '../../api/calls.ts';
import { Answer } from '../../ui/answer.tsx';
import { Page } from '../../ui/page.tsx';

export default function OverviewPage() {
  const overview = useAnswer('overview', {});
  return (
    <Page title="Overview">
      <Answer query={overview}>{({ verdict }) => <p className="text-16">{verdict.text}</p>}</Answer>
    </Page>
  );
}
