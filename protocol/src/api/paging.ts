import {
  Array as List,
  Integer,
  Null,
  Object as Obj,
  Optional,
  String as Str,
  Union,
  type TSchema,
} from 'typebox';

/** Rows in one page of a list, at most and by default. */
export const PAGE = { limit: 200, default: 50 } as const;

/** Query of every list: `cursor` is what the former page gave as `next`, and nothing else. */
export const PageQuery = {
  cursor: Optional(Str({ maxLength: 200 })),
  limit: Optional(Integer({ minimum: 1, maximum: PAGE.limit })),
};

/** One page of a list; `next` is null on the last. */
export const Page = <S extends TSchema>(item: S) => Obj({ items: List(item), next: Union([Str(), Null()]) });
