-- grain: one row per event
-- rule: as recorded, with its reason and evidence
-- build: merge on source, source_key
select event.*
from landed.event as event
