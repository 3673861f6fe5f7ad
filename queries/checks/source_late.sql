-- title: a source is late for the month; what depends on it may still change
-- severity: warn
-- rule: due of the source's definition, as the run found it
select
    source_due.source,
    source_due.name,
    source_due.level,
    source_due.rule
from seed.source_due as source_due
where source_due.month = $month
order by source_due.level, source_due.source
