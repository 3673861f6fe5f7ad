"""What a statistician does with psycopg: python3 client.py URL"""
import datetime
import decimal
import sys

import psycopg

COLUMNS = "month, name, score, place, is_first, signed_at, local_at, tickets, rate, huge"
WANT = (
    datetime.date(2026, 10, 1), "东湖社区", decimal.Decimal("98.12"), 1, True,
    datetime.datetime(2026, 10, 8, 1, 30, 0, 500000, tzinfo=datetime.timezone.utc), datetime.datetime(2026, 10, 8, 9, 30),
    12345678901, 0.1, decimal.Decimal("170141183460469231731687303715884105727"),
)

with psycopg.connect(sys.argv[1]) as conn:
    tables = conn.execute("select table_schema, table_name from information_schema.tables order by 1, 2").fetchall()
    assert tables == [("bulletin", "community"), ("score", "total")], tables
    for binary in False, True:
        rows = conn.execute(f"select {COLUMNS} from bulletin.community order by name nulls last", binary=binary).fetchall()
        assert rows == [WANT, (WANT[0],) + (None,) * 9], rows
        found = conn.execute(
            "select name from community where place = %s and month = %s and score = %s and is_first = %s and name = any(%s)",
            (1, WANT[0], WANT[2], True, ["东湖社区", "it's"]), binary=binary,
        ).fetchall()
        assert found == [("东湖社区",)], found
    for n in range(7):  # from the sixth on the statement is prepared under a name
        assert conn.execute("select count(*) from score.total where place > %s", (n,)).fetchone() == (2500 - n,)
    assert psycopg.types.TypeInfo.fetch(conn, "numeric").array_oid == 1231
    conn.rollback()
    try:
        conn.execute("drop table bulletin.community")
        raise SystemExit("a table was dropped")
    except psycopg.errors.InsufficientPrivilege:
        conn.rollback()
    with conn.pipeline():
        first, second = conn.execute("select 1"), conn.execute("select 2")
        assert (first.fetchone(), second.fetchone()) == ((1,), (2,))
print("done")
