"""What Alembic runs to write a migration as SQL. It opens no database: `trueup.ledger.open` runs the statements."""

from alembic import context

context.configure(
    dialect_name=context.config.attributes["dialect"],
    dialect_opts={"paramstyle": "named"},  # with other styles, every % in a statement is doubled
    version_table=context.config.attributes["version_table"],
    as_sql=True,
    transactional_ddl=False,  # `trueup.ledger.open` puts one transaction around all statements
)
context.run_migrations()
