"""The migrations make exactly the tables that the schema declares."""

from collections.abc import Callable

import polars as pl
import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from databases import by_hand
from sqlalchemy.schema import CreateIndex, CreateTable

from trueup.ledger.database import Database
from trueup.ledger.open import HEAD, OLDEST, open_ledger
from trueup.ledger.schema import metadata

# What each database knows of its tables, as lines of text.
INTROSPECTION = {
    "sqlite": """
        WITH tables AS (
            SELECT name, wr FROM pragma_table_list WHERE name NOT LIKE 'sqlite_%' AND name <> 'trueup_version'
        )
        SELECT 'table', name, 'without rowid', wr FROM tables
        UNION ALL
        SELECT 'column', t.name, c.cid || ' ' || c.name,
            c.type || ' not null ' || c."notnull" || ' default ' || coalesce(c.dflt_value, 'none') || ' key ' || c.pk
        FROM tables t, pragma_table_xinfo(t.name) c
        UNION ALL
        SELECT 'index', t.name, i.name || ' ' || i.origin || ' unique ' || i."unique" || ' partial ' || i.partial,
            k.seqno || ' ' || coalesce(k.name, '') || ' ' || k.desc || ' ' || k.coll || ' ' || k.key
        FROM tables t, pragma_index_list(t.name) i, pragma_index_xinfo(i.name) k
        UNION ALL
        SELECT 'index text', tbl_name, name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL
    """,
    "postgresql": """
        WITH tables AS (
            SELECT oid, relname FROM pg_class
            WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace AND relname <> 'trueup_version'
        ), facts (kind, "table", name, fact) AS (
            SELECT 'column', t.relname::text, a.attnum || ' ' || a.attname, format_type(a.atttypid, a.atttypmod)
                || ' not null ' || a.attnotnull || ' collation ' || coalesce(l.collname, 'none')
                || ' identity ' || a.attidentity::text
                || ' default ' || coalesce(pg_get_expr(d.adbin, d.adrelid), 'none')
            FROM tables t
            JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0
            LEFT JOIN pg_attrdef d ON d.adrelid = t.oid AND d.adnum = a.attnum
            LEFT JOIN pg_collation l ON l.oid = a.attcollation
            UNION ALL
            SELECT 'constraint', t.relname::text, c.conname::text, pg_get_constraintdef(c.oid)
            FROM tables t JOIN pg_constraint c ON c.conrelid = t.oid
            UNION ALL
            SELECT 'index', t.relname::text, i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid)
            FROM tables t JOIN pg_index i ON i.indrelid = t.oid
        )
        SELECT * FROM facts
    """,
}
FACT = {"kind": pl.String, "table": pl.String, "name": pl.String, "fact": pl.String}


def facts(db: Database) -> set[tuple[str, ...]]:
    return {tuple(row) for row in db.read_sql(INTROSPECTION[db.dialect.name], FACT).rows()}


def make_tables_of_schema(db: Database) -> None:
    for table in metadata.sorted_tables:
        by_hand(db, str(CreateTable(table).compile(dialect=db.dialect)))
        for index in table.indexes:
            by_hand(db, str(CreateIndex(index).compile(dialect=db.dialect)))


def test_migrations__make_what_the_schema_declares(new_empty_url: Callable[[], str]) -> None:
    with open_ledger(new_empty_url(), create=True) as migrated, Database(new_empty_url()) as declared:
        make_tables_of_schema(declared)
        expected = facts(declared)
        assert {table for _, table, *_ in expected} == set(metadata.tables)
        assert facts(migrated) == expected


def test_migrations__are_one_line_that_ends_at_head() -> None:
    config = Config()
    config.set_main_option("script_location", "trueup.ledger:migrations")
    script = ScriptDirectory.from_config(config)
    revisions = [revision.revision for revision in script.walk_revisions()]
    assert script.get_heads() == [HEAD]
    assert revisions == [f"{number:04}" for number in range(int(HEAD), int(OLDEST) - 1, -1)]


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
def test_indexes_of_ranges__do_not_wait_for_a_vacuum(ledger: Database) -> None:
    """Until a range is summed up, whoever looks for the newest batch goes through all of its rows."""
    found = ledger.read_sql(
        "SELECT relname::text, reloptions::text FROM pg_class c JOIN pg_am a ON a.oid = c.relam AND a.amname = 'brin'",
        {"name": pl.String, "options": pl.String},
    )
    assert dict(found.rows()) == dict.fromkeys(
        ["clicks_click_number", "journal_batch_id", "later_policies_batch_id"], "{autosummarize=on}"
    )
