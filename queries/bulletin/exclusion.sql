-- grain: one row per ticket of the month and indicator set that it was taken out
--   of; indicator '' for all
-- rule: a row with reason, evidence, who and when, never a deletion; void, hung
--   and out of duty, of tickets reported or due in the month, are the platform's
--   own words. For the taskforce
-- build: month
with ticket as (
    select
        ticket.source,
        ticket.ticket_id,
        ticket.grid_id,
        ticket.line,
        ticket.state,
        ticket.exclusion_reason,
        ticket.is_reported or ticket.is_due as is_of_month
    from core.month_ticket as ticket
    where ticket.month = $month
        and (
            ticket.is_reported or ticket.is_due or ticket.is_closed
            or ticket.is_brought_in
        )
),

excluded as (
    select
        ticket.*,
        case exclusion.metric_set when 'all' then '' else upper(exclusion.metric_set) end as indicator,
        exclusion.reason,
        exclusion.evidence,
        exclusion.decided_by,
        exclusion.decided_at,
        exclusion.approved_by,
        exclusion.file,
        exclusion.row_no
    from ticket
    inner join core.exclusion as exclusion
        on ticket.source = exclusion.ticket_source
        and ticket.ticket_id = exclusion.ticket_id
    union all
    select
        ticket.*,
        '',
        ticket.exclusion_reason,
        null,
        ticket.source,
        null,
        null,
        null,
        null
    from ticket
    where ticket.state in ('void', 'hung', 'out_of_duty')
        and ticket.is_of_month
)

select
    $month as month,
    row_number() over (
        order by
            unit.community_id, excluded.source, excluded.ticket_id,
            excluded.indicator, excluded.decided_at nulls first
    ) as position,
    unit.community_id,
    community.name as community,
    excluded.grid_id,
    excluded.line,
    excluded.source,
    excluded.ticket_id as record,
    excluded.indicator,
    excluded.reason,
    excluded.evidence,
    excluded.decided_by,
    excluded.decided_at,
    excluded.approved_by,
    excluded.file,
    excluded.row_no
from excluded
inner join core.month_unit as unit
    on excluded.grid_id = unit.grid_id
    and unit.month = $month
left join core.month_unit as community
    on unit.community_id = community.grid_id
    and community.month = $month
order by position
