import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState, type FormEvent } from 'react';
import { useChange } from '../../api/calls.ts';
import { ApiProblem } from '../../api/problem.ts';
import { ProblemNotice } from '../../forms/problem-notice.tsx';
import { remember } from '../../session/session.ts';
import { Button } from '../../ui/button.tsx';
import { TextField } from '../../ui/field.tsx';
import { Notice } from '../../ui/notice.tsx';
import { Entrance } from './entrance.tsx';

const SHORTEST = 10;

/** Where the one-time link of the first start leads. The token is after the #, so that it reaches no log. */
export default function FirstAdmin() {
  const queries = useQueryClient();
  const navigate = useNavigate();
  const [token] = useState(() => new URLSearchParams(location.hash.slice(1)).get('token'));
  const create = useChange('createFirstAdmin');
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    create.mutate(
      { body: { token: token ?? '', name, password } },
      {
        onSuccess: (me) => {
          remember(queries, me);
          void navigate({ to: '/', replace: true });
        },
      },
    );
  };
  if (token === null || token === '') return <LinkIsIncomplete />;
  const wrong = create.error instanceof ApiProblem ? create.error : null;
  return (
    <Entrance
      title="The first admin"
      lead="Whoever opens this link first runs the fleet. Choose a name and a password; others are invited from here later."
    >
      <form className="grid gap-4" onSubmit={submit}>
        <ProblemNotice error={create.error} />
        <TextField
          label="Name"
          value={name}
          onChange={(event) => setName(event.target.value)}
          error={wrong?.field?.endsWith('name') ? wrong.message : null}
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          maxLength={64}
          autoFocus
          required
        />
        <TextField
          label="Password"
          type="password"
          hint={`${SHORTEST} characters or more; a sentence is best.`}
          value={password}
          onChange={(event) => setPassword(event.target.value)}
          error={wrong?.field?.endsWith('password') ? wrong.message : null}
          autoComplete="new-password"
          minLength={SHORTEST}
          maxLength={256}
          required
        />
        <Button type="submit" look="primary" busy={create.isPending}>
          Create the admin and sign in
        </Button>
      </form>
    </Entrance>
  );
}

function LinkIsIncomplete() {
  return (
    <Entrance title="This link is incomplete">
      <Notice state="degraded" title="The part after # is missing.">
        Copy the whole line that the overlord printed when it started, up to its end. If there is an admin
        already, sign in instead.
      </Notice>
      <a href="/sign-in" className="text-14 underline">
        Sign in
      </a>
    </Entrance>
  );
}
