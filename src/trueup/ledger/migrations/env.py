"""What Alembic runs to write a migration as SQL. It opens no database: `trueup.ledger.open` runs the statements."""

from alembic import context

context.configure(
    dialect_name=context.config.attributes["dialect"],
    dialect_opts={"paramstyle": "named"},  # the styles with % would double every % in a statement
    version_table=context.config.attributes["version_table"],
    as_sql=True,
    transactional_ddl=False,  # whoever runs the statements puts one transaction around them all
)
context.run_migrations()
