"""Runs the migrations on the connection that `cxrmodel.store.schema` gives; Alembic calls it."""

from alembic import context

from cxrmodel.store.models import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
