import { useQueryClient } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useState, type FormEvent } from 'react';
import { useChange } from '../../api/calls.ts';
import { ProblemNotice } from '../../forms/problem-notice.tsx';
import { remember } from '../../session/session.ts';
import { Button } from '../../ui/button.tsx';
import { TextField } from '../../ui/field.tsx';
import { Entrance } from './entrance.tsx';

export default function SignIn() {
  const queries = useQueryClient();
  const navigate = useNavigate();
  const { to } = useSearch({ from: '/sign-in' });
  const signIn = useChange('signIn');
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    signIn.mutate(
      { body: { name, password } },
      {
        onSuccess: (me) => {
          remember(queries, me);
          void navigate({ href: to ?? '/' });
        },
      },
    );
  };
  return (
    <Entrance title="Sign in">
      <form className="grid gap-4" onSubmit={submit}>
        <ProblemNotice error={signIn.error} />
        <TextField
          label="Name"
          value={name}
          onChange={(event) => setName(event.target.value)}
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          autoFocus
          required
        />
        <TextField
          label="Password"
          type="password"
          value={password}
          onChange={(event) => setPassword(event.target.value)}
          autoComplete="current-password"
          required
        />
        <Button type="submit" look="primary" busy={signIn.isPending}>
          Sign in
        </Button>
      </form>
    </Entrance>
  );
}
