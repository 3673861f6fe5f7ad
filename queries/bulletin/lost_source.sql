-- grain: one row per record of the lost tables
-- rule: the delivery's file, sheet and row that the record was last read from
-- build: month
with lost as (
    select 'ticket' as kind, source, record
    from bulletin.lost_ticket
    where month = $month
    union
    select 'repair', source, record
    from bulletin.lost_repair
    where month = $month
    union
    select 'event', source, record
    from bulletin.lost_event
    where month = $month
    union
    select 'return', source, record
    from bulletin.lost_return
    where month = $month
    union
    select 'plan', source, record
    from bulletin.lost_plan
    where month = $month
),

fact as (
    select 'ticket' as kind, source, ticket_id as record, file, sheet, row_no
    from core.ticket
    union all
    select 'repair', source, repair_id, file, sheet, row_no
    from core.repair
    union all
    select 'event', source, event_id, file, sheet, row_no
    from core.event
    union all
    select 'return', source, source_key, file, sheet, row_no
    from core."return"
    where month = $month
    union all
    select 'plan', source, source_key, file, sheet, row_no
    from core.plan
    where month = $month
)

select
    $month as month,
    lost.kind,
    lost.source,
    lost.record,
    fact.file,
    fact.sheet,
    fact.row_no
from lost
inner join fact using (kind, source, record)
order by lost.kind, lost.source, lost.record
