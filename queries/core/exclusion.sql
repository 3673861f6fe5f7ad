-- grain: one row per ticket and metric set taken out of a count
-- rule: a row with reason, evidence and who approved it; never a deletion
-- build: merge on source, source_key
select exclusion.*
from landed.exclusion as exclusion
