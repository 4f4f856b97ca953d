import { Page } from '../../ui/page.tsx';

export default function DevicesPage() {
  return (
    <Page title="Devices">
      <p>Being written.</p>
    </Page>
  );
}
