-- grain: one row per month, grid, person, kind and class
-- rule: how many are required
-- build: merge on source, source_key
select plan.*
from landed.plan as plan
