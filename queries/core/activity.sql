-- grain: one row per visit, patrol, task, record or report
-- rule: as recorded; whether it counts is said by is_valid
-- build: merge on source, source_key
select activity.*
from landed.activity as activity
