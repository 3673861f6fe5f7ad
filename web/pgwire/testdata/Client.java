import java.math.BigDecimal;
import java.sql.*;
import java.time.OffsetDateTime;
import java.util.*;

/** What DBeaver and others do with the JDBC driver: java Client.java URL */
public class Client {
    static void check(boolean holds, Object seen) {
        if (!holds) throw new AssertionError(String.valueOf(seen));
    }

    static List<String> column(ResultSet rows, String name) throws SQLException {
        List<String> values = new ArrayList<>();
        while (rows.next()) values.add(rows.getString(name));
        return values;
    }

    public static void main(String[] args) throws Exception {
        try (Connection town = DriverManager.getConnection(args[0])) {
            DatabaseMetaData meta = town.getMetaData();
            check(meta.getDatabaseMajorVersion() == 15, meta.getDatabaseProductVersion());
            List<String> schemas = column(meta.getSchemas(), "TABLE_SCHEM");
            check(schemas.containsAll(List.of("bulletin", "score")), schemas);
            List<String> tables = column(meta.getTables(null, null, "%", new String[] {"TABLE", "VIEW"}), "TABLE_NAME");
            check(tables.equals(List.of("community", "total")), tables);
            check(column(meta.getTables(null, "bulletin", "comm\\_nity", null), "TABLE_NAME").isEmpty(), "an escaped pattern");
            List<String> types = column(meta.getColumns(null, "bulletin", "community", "%"), "TYPE_NAME");
            check(types.equals(List.of("date", "text", "numeric", "int4", "bool", "timestamptz", "timestamp", "int8", "float8", "numeric")), types);
            ResultSet score = meta.getColumns(null, "bulletin", "community", "score");
            check(score.next() && score.getInt("COLUMN_SIZE") == 7 && score.getInt("DECIMAL_DIGITS") == 2, "precision and scale");
            for (ResultSet none : List.of(
                    meta.getPrimaryKeys(null, "bulletin", "community"), meta.getIndexInfo(null, "bulletin", "community", false, false),
                    meta.getImportedKeys(null, "bulletin", "community"), meta.getExportedKeys(null, "bulletin", "community"),
                    meta.getProcedures(null, "bulletin", "%"), meta.getFunctions(null, "bulletin", "%"))) {
                check(!none.next(), "something that there is none of");
            }
            check(column(meta.getTypeInfo(), "TYPE_NAME").contains("numeric"), "types");

            PreparedStatement asked = town.prepareStatement(
                "select * from bulletin.community where place = ? and month = ? and score = ? and name = ? and signed_at < ?");
            asked.setInt(1, 1);
            asked.setDate(2, java.sql.Date.valueOf("2026-10-01"));
            asked.setBigDecimal(3, new BigDecimal("98.12"));
            asked.setString(4, "东湖社区");
            asked.setObject(5, OffsetDateTime.parse("2026-10-08T10:00:00+08:00"));
            for (int i = 0; i < 7; i++) { // from the fifth on prepared under a name and in binary
                ResultSet row = asked.executeQuery();
                check(row.next(), "no row at run " + i);
                check(row.getObject("month", java.time.LocalDate.class).toString().equals("2026-10-01"), row.getString("month"));
                check(row.getString("name").equals("东湖社区") && row.getBigDecimal("score").equals(new BigDecimal("98.12")), row.getString("score"));
                check(row.getInt("place") == 1 && row.getBoolean("is_first") && row.getLong("tickets") == 12345678901L && row.getDouble("rate") == 0.1, "numbers");
                check(row.getObject("signed_at", OffsetDateTime.class).isEqual(OffsetDateTime.parse("2026-10-08T09:30:00.5+08:00")), row.getString("signed_at"));
                check(row.getObject("local_at", java.time.LocalDateTime.class).toString().equals("2026-10-08T09:30"), row.getString("local_at"));
                check(row.getBigDecimal("huge").toString().equals("170141183460469231731687303715884105727"), row.getString("huge"));
                check(!row.next(), "a second row");
            }
            check(asked.getMetaData().getColumnTypeName(3).equals("numeric"), "type of a column");
            try (Statement plain = town.createStatement(); ResultSet nulls = plain.executeQuery("select * from community where name is null")) {
                check(nulls.next() && nulls.getString(2) == null && nulls.getBigDecimal(3) == null && nulls.getObject(5) == null, "nulls");
            }
            town.setAutoCommit(false);
            try (Statement parts = town.createStatement()) {
                parts.setFetchSize(100);
                check(column(parts.executeQuery("select place from score.total order by place"), "place").size() == 2500, "rows in parts");
            }
            town.commit();
            town.setReadOnly(true);
            check(town.isValid(5), "is it valid");
            town.setSchema("score");
            try (Statement plain = town.createStatement()) {
                check(column(plain.executeQuery("select max(place) as most from total"), "most").equals(List.of("2500")), "the schema that was set");
                try {
                    plain.executeQuery("delete from bulletin.community");
                    throw new AssertionError("rows were deleted");
                } catch (SQLException refused) {
                    check(refused.getSQLState().equals("42501"), refused);
                }
            }
            town.rollback();
        }
        System.out.println("done");
    }
}
