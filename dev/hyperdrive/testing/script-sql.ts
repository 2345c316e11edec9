/** The tables that scripts begin with; what scripts make under other names is gone again afterwards. */
export const GROUND = `
  drop view if exists seen;
  drop table if exists t, u, fresh, gone, brief cascade;
  drop sequence if exists counter;
  create table t (a int primary key, b text default 'none' check (b <> 'forbidden'), n numeric(8, 2));
  create table u (a int references t deferrable initially deferred, c bytea not null default '\\x00ff');
  create sequence counter;
  insert into t values (1, 'one', 1.5), (2, 'zwei é', null), (3, null, -3);
  insert into u values (1), (2);`;

/** Made once by the superuser, and changed by no script. */
export const LASTING = `
  create role guest;
  grant guest to app, fairlead_owner;
  create schema authorization app;
  create schema authorization fairlead_owner;
  create function complain(level text, words text) returns int language plpgsql as $$
  begin
    if level = 'error' then raise exception '%', words using errcode = 'ZZ001', detail = 'a detail', hint = 'a hint';
    elsif level = 'warning' then raise warning '%', words;
    else raise notice '%', words using hint = 'a hint';
    end if;
    return length(words);
  end $$;`;

export const READS = [
  "select 1",
  "select 'é' as \"ä\", null, 1.5::numeric, '\\x00ff'::bytea, true, array[1, 2], '2001-02-03'::date",
  "select a, b from t order by a",
  "select * from t",
  "select * from t where a = 1",
  "select * from u order by a",
  "select t.b, u.c from t join u using (a) order by a",
  "select count(*) from t",
  "select repeat('x', 100000) as wide",
  "select g, repeat('y', 50) from generate_series(1, 500) g",
  "select generate_series(1, 4)",
  "select from t",
  "table u",
  "values (1, 'x'), (2, 'y')",
  "select a from t where b = 'nobody'",
  "select 1 /* a comment */ -- and another",
  "show transaction_isolation",
  "show transaction_read_only",
  "explain (costs off) select * from t where a = 1",
  "with w as (select a from t) select sum(a) from w",
  "",
  " ; ; ",
  "-- nothing",
];

/** With parameters; how many, and of what types, is for the scripts to get right or wrong. */
export const ASKING = [
  "select $1::int + 1",
  "select $1::text || 'é', $2::int",
  "select * from t where a = $1",
  "select b from t where a = $1 or b = $2 order by a",
  "select $1",
  "select g, $1::text from generate_series(1, $2::int) g",
  "select 10 / $1::int",
];

export const BROKEN = [
  "selec",
  "select 'open",
  "select missing from t",
  "select * from missing",
  "select * from fresh",
  "select * from brief",
  "select 1/0",
  "select 1 / (a - 2) from t order by a",
  "select 'x'::int",
  "select complain('error', 'told')",
  "select nothing()",
  "select 1, a from t group by b",
];

export const NOTICES = [
  "select complain('notice', 'heard é')",
  "select complain('warning', 'beware'), complain('notice', 'twice')",
  "do $$ begin raise notice 'done'; end $$",
  "drop table if exists missing",
  "select complain('notice', b) from t where b is not null order by a",
];

export const WRITES = [
  "insert into t values (10, 'ten')",
  "insert into t values (10, 'ten') returning *",
  "insert into t (a) values (11) returning a, b",
  "insert into t values (1, 'taken')",
  "insert into t values (12, 'forbidden')",
  "insert into t values (null)",
  "insert into t values (13, 'x', 1e9)",
  "insert into t select g, 'bulk' from generate_series(100, 400) g",
  "insert into t values (1, 'again') on conflict (a) do update set b = excluded.b returning b",
  "insert into u values (99)",
  "insert into u values (3) returning c",
  "update t set b = 'changed' where a < 3 returning a",
  "update t set a = a + 1000",
  "delete from u returning *",
  "delete from t where a = 1",
  "with w as (delete from u returning a) select a from w order by a",
  "merge into t using (values (1), (77)) v (x) on a = x when matched then update set b = 'met' when not matched then insert values (x)",
  "truncate u",
  "select nextval('counter')",
  "select * from t where a = 1 for update",
];

export const WRITES_ASKING = [
  "insert into t values ($1, $2)",
  "insert into t values ($1, $2) returning *",
  "update t set b = $2 where a = $1",
  "delete from t where a = $1 returning b",
];

export const TRANSACTIONS = [
  "begin",
  "begin",
  "start transaction read only",
  "begin isolation level repeatable read",
  "commit",
  "commit",
  "end",
  "rollback",
  "abort",
  "commit and chain",
  "rollback and chain",
  "savepoint one",
  "savepoint two",
  "rollback to one",
  "rollback to savepoint two",
  "release one",
  "set transaction read only",
  "set transaction isolation level serializable",
  "set constraints all immediate",
  "set constraints all deferred",
];

/** Settings for the length of a transaction; outside of one they are a warning. */
export const LOCAL = [
  "set local app.mark = 'local'",
  "set local datestyle = 'German'",
  "set local timezone = 'Asia/Tokyo'",
  "set local search_path = nowhere",
  "set local application_name = 'renamed'",
  "set local bytea_output = 'escape'",
  "set local client_min_messages = 'error'",
  "set local intervalstyle = 'iso_8601'",
  "set local statement_timeout = 'soon'",
  "set local role guest",
  "set local missing_setting = 1",
];

export const SCHEMA = [
  "create table fresh (a int, z text)",
  "create table fresh as select * from t",
  "drop table fresh",
  "drop table if exists fresh, u",
  "drop table t",
  "drop table t cascade",
  "create table t (a text)",
  "create table u (a int, c bytea, extra int default 7)",
  "alter table t add column later int default 5",
  "alter table t drop column b",
  "alter table t alter column b type varchar(20)",
  "alter table t rename column b to renamed",
  "alter table u rename to gone",
  "create index on t (b)",
  "create view seen as select a from t",
  "select * from seen order by a",
  "comment on table t is 'said'",
  "analyze t",
  "vacuum u",
  "reindex table t",
  "create temporary table brief on commit drop as select 1 as a, 'b' as b",
  "create temporary table brief (a int) on commit drop",
  "insert into brief values (5)",
  "lock table t",
];

export const CURSORS = [
  "declare c cursor for select a, b from t order by a",
  "declare c scroll cursor for select g from generate_series(1, 10) g",
  "declare c binary cursor for select a from t order by a",
  "declare p1 cursor for select 'p1'",
  "fetch 2 from c",
  "fetch all from c",
  "fetch backward 1 from c",
  "fetch p1",
  "move 1 in c",
  "close c",
  "close p1",
  "close all",
  "update t set b = 'here' where current of c",
  "select name, statement, is_binary, is_scrollable from pg_cursors order by name",
];

/** What needs a session of one's own, and is refused or undone at the doors that pool. */
export const SESSION = [
  "prepare s1 as select 'by SQL'",
  "prepare s2 (int) as select $1 + 1",
  "execute s1",
  "execute s2 (1)",
  "deallocate s1",
  "deallocate all",
  "discard all",
  "discard plans",
  "discard temp",
  "set work_mem = '5MB'",
  "show work_mem",
  "reset work_mem",
  "set datestyle = 'SQL, DMY'",
  "set timezone = 'Asia/Tokyo'",
  "set application_name = 'named'",
  "reset all",
  "set client_encoding = 'LATIN1'",
  "create temporary table brief (a int, b text)",
  "create temporary table if not exists brief as select 1 as a",
  "declare c cursor with hold for select a from t order by a",
  "listen news",
  "unlisten news",
  "notify news, 'told'",
  "select pg_notify('news', 'by function')",
  "select pg_advisory_lock(1)",
  "select pg_advisory_unlock(1)",
  "select currval('counter')",
  "select lastval()",
  "select name, statement, from_sql from pg_prepared_statements order by name, statement",
  "set role guest",
  'set search_path = nowhere, "$user"',
];
