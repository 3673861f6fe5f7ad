# What a statistician does with R: Rscript client.R HOST PORT ACCOUNT PASSWORD.
# RPostgres where it is installed, else RPostgreSQL, which Debian has.
library(DBI)
args <- commandArgs(TRUE)
isNew <- requireNamespace("RPostgres", quietly = TRUE)
driver <- if (isNew) RPostgres::Postgres() else RPostgreSQL::PostgreSQL()
con <- dbConnect(driver, host = args[1], port = as.integer(args[2]), user = args[3], password = args[4], dbname = "town")
check <- function(...) stopifnot(...)

check("community" %in% dbListTables(con))
if (isNew) {
    check(nrow(dbListObjects(con, Id(schema = "score"))) == 1, dbExistsTable(con, Id(schema = "bulletin", table = "community")))
    table <- Id(schema = "bulletin", table = "community")
} else {
    table <- c("bulletin", "community")
}
check(all(c("month", "score") %in% dbListFields(con, table)), length(dbListFields(con, table)) == 10)
whole <- dbReadTable(con, table)
check(nrow(whole) == 2, identical(names(whole)[1:3], c("month", "name", "score")))

rows <- dbGetQuery(con, "select month, name, score, place, is_first, signed_at, local_at, tickets, rate, huge::varchar as huge from bulletin.community order by name nulls last")
check(
    format(rows$month[1]) == "2026-10-01", rows$name[1] == "东湖社区", Encoding(rows$name[1]) != "bytes", rows$score[1] == 98.12,
    rows$place[1] == 1L, rows$is_first[1] == TRUE, as.character(rows$tickets[1]) == "12345678901", rows$rate[1] == 0.1,
    rows$huge[1] == "170141183460469231731687303715884105727", all(is.na(rows[2, -1]))
)
if (isNew) { # the other reads moments in the zone of its own machine
    check(format(rows$signed_at[1], tz = "UTC", digits = 1) == "2026-10-08 01:30:00.5", format(rows$local_at[1], tz = "UTC") == "2026-10-08 09:30:00")
    found <- dbGetQuery(con, "select name from community where place = $1 and month = $2 and name = $3", params = list(1L, as.Date("2026-10-01"), "东湖社区"))
} else {
    found <- dbGetQuery(con, "select name from community where place = $1 and month = $2 and name = $3", list(1L, "2026-10-01", "东湖社区"))
}
check(found$name == "东湖社区")
refused <- tryCatch({ dbGetQuery(con, "select * from read_csv('/etc/passwd')"); FALSE }, error = function(e) TRUE, warning = function(w) TRUE)
check(isTRUE(refused) || is.null(refused))
dbDisconnect(con)
cat("done", if (isNew) "RPostgres" else "RPostgreSQL", "\n")
