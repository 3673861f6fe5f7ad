-- grain: one row per booking of the repair pool
-- rule: amounts as booked, in yuan
-- build: merge on source, source_key
select fund_entry.*
from landed.fund_entry as fund_entry
