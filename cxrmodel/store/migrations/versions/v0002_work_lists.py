"""Work lists of browsers, and what their users think of readings."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

Moment = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "session",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("cookie", sa.String(), nullable=False),
        sa.Column("prevalence", sa.Double(), nullable=False),
        sa.Column("selected", sa.String(), nullable=True),
        sa.Column("used_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("cookie"),
        sqlite_autoincrement=True,
    )
    op.create_index("session_used", "session", ["used_at"], unique=False)
    op.create_table(
        "entry",
        sa.Column("session_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("demo", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("has_file", sa.Boolean(), nullable=False),
        sa.Column("repairs", sa.JSON(), nullable=False),
        sa.Column("result", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("reason", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("read_at", Moment, nullable=True),
        sa.Column("thumbnail", sa.String(), nullable=True),
        sa.Column("seen", sa.Boolean(), nullable=False),
        sa.Column("patient_id", sa.String(), nullable=False),
        sa.Column("issuer", sa.String(), nullable=False),
        sa.Column("study_uid", sa.String(), nullable=False),
        sa.Column("arrived_at", Moment, nullable=False),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["session.id"],
        ),
        sa.PrimaryKeyConstraint("session_id", "id"),
    )
    op.create_index("entry_arrived", "entry", ["arrived_at"], unique=False)
    op.create_index("entry_file", "entry", ["has_file", "arrived_at"], unique=False)
    op.create_index("entry_patient", "entry", ["patient_id", "issuer"], unique=False)
    op.create_index("entry_sha256", "entry", ["sha256"], unique=False)
    op.create_index("entry_study", "entry", ["study_uid"], unique=False)
    op.create_table(
        "feedback",
        sa.Column("session_id", sa.Integer(), nullable=False),
        sa.Column("entry_id", sa.String(), nullable=False),
        sa.Column("mark", sa.String(), nullable=True),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("given_at", Moment, nullable=False),
        sa.ForeignKeyConstraint(
            ["session_id", "entry_id"],
            ["entry.session_id", "entry.id"],
        ),
        sa.PrimaryKeyConstraint("session_id", "entry_id"),
    )
