import { Page } from '../../ui/page.tsx';

export default function EnrolPage() {
  return (
    <Page title="Enrol">
      <p>Being written.</p>
    </Page>
  );
}
