import type { ErrorComponentProps } from '@tanstack/react-router';
import { ProblemNotice } from '../forms/problem-notice.tsx';
import { Button } from '../ui/button.tsx';

/** A page that could not be shown: why, and another try. */
export function Failed({ error, reset }: ErrorComponentProps) {
  return (
    <div className="mx-auto grid max-w-lg gap-4 p-6">
      <ProblemNotice error={error instanceof Error ? error : new Error('This page could not be shown.')} />
      <div>
        <Button
          onClick={() => {
            reset();
            location.reload();
          }}
        >
          Try again
        </Button>
      </div>
    </div>
  );
}
