/** What a rollback leaves alone because it was changed again: a reject that says what it is now, and who made it so. */
import type { Plan } from './plan.ts';

/** What happened after the delta that is undone. */
export class Later {
  /** Id of the delta that is undone. */
  readonly undone: bigint;
  readonly #plan: Plan;
  #deletes: Promise<unknown> | undefined;

  constructor(plan: Plan, undone: bigint) {
    this.#plan = plan;
    this.undone = undone;
  }

  /**
   * Rejects resources that were changed since.
   *
   * @param changed SQL: a query for them, with `key`, `change`, `before`, `after`, `now` and `now_delta`
   */
  async rejectResources(
    { id, name }: { readonly id: number; readonly name: string },
    changed: string,
  ): Promise<void> {
    if (!(await this.#isAny(changed))) return;
    await this.#noteDeletes();
    await this.#plan.session.query(
      `insert into reject (job_id, entity_type, file, key, "column", value, code, message)
       select $1, $2, $3, u.key, p.names, p.values, 'ChangedSince',
         case when u.now is null then 'was deleted' when u.change = 'delete' then 'came anew' else 'was changed' end
           || ' since, by ' || coalesce(d.job_id, 'hand') || '; it stays as it is'
       from (${changed}) u
       left join later_delete x on u.now is null and x.entity_type_id = ${id} and x.key = u.key
       left join delta d on d.id = coalesce(u.now_delta, x.delta_id)
       left join lateral (
         select string_agg(name, ', ' order by name) as names, string_agg(coalesce(u.now ->> name, ''), ', ' order by name) as values
         from jsonb_object_keys(u.now || coalesce(u.after, u.before)) name
         where u.now -> name is distinct from coalesce(u.after, u.before) -> name) p on true
       order by u.key`,
      [this.#plan.jobId, name, this.#file()],
    );
  }

  /**
   * Rejects links that were changed since, or that lack an end.
   *
   * @param changed SQL: a query for them, with `name` (an entity type or association), `key`, `column`, `value` (where
   * it points to now, or what it lacks), `gone_type` (entity type of the end it lacks) and `now_delta`
   */
  async rejectLinks(changed: string): Promise<void> {
    if (!(await this.#isAny(changed))) return;
    await this.#noteDeletes();
    await this.#plan.session.query(
      `insert into reject (job_id, entity_type, file, key, "column", value, code, message)
       select $1, u.name, $2, u.key, u."column", u.value, 'ChangedSince',
         case when t.id is not null then 'the link lacks a ' || t.name || ' that was deleted or came anew'
           when u.value is not null then 'was changed' else 'was taken away' end
           || ' since' || coalesce(', by ' || d.job_id, case when u.now_delta is null and u.value is not null and t.id is null
             then ', by hand' else '' end) || '; it stays as it is'
       from (${changed}) u
       left join entity_type t on t.id = u.gone_type
       left join later_delete x on x.entity_type_id = u.gone_type and x.key = u.value
       left join delta d on d.id = coalesce(case when t.id is null then u.now_delta end, x.delta_id)
       order by u.name, u.key`,
      [this.#plan.jobId, this.#file()],
    );
  }

  /** A reject names where its row is: among the changes of the job that is undone. */
  #file(): string {
    return `changes ${this.undone}`;
  }

  async #isAny(query: string): Promise<boolean> {
    return (await this.#plan.session.query(`${query} limit 1`)).rows.length > 0;
  }

  /** Which delta deleted what last; one look at the history, and only when somebody asks. */
  async #noteDeletes(): Promise<void> {
    this.#deletes ??= this.#plan.session.query(
      `create temporary table later_delete on commit drop as
       select distinct on (c.entity_type_id, c.key) c.entity_type_id, c.key, c.delta_id
       from resource_change c join delta d on d.id = c.delta_id and d.applied_at is not null
       where c.delta_id > ${this.undone} and c.change = 'delete'
       order by c.entity_type_id, c.key, c.delta_id desc;
       analyze later_delete`,
    );
    await this.#deletes;
  }
}
