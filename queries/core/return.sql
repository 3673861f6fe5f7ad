-- grain: one row per month, unit and item
-- rule: as the line returned it
-- build: merge on source, source_key
select returned.*
from landed."return" as returned
