-- grain: one row per indicator and record that it counts
-- rule: every number opens to its records, by the same words as the indicators'
--   own queries: those of a denominator (is_base), and of work against a plan
--   those that count as done; against says why one is lost. For the taskforce
-- build: month
with ticket as (
    select
        ticket.*,
        case when ticket.settled_at is null then 'unsettled' end as unsettled
    from core.month_ticket as ticket
    where ticket.month = $month
        and not ticket.is_excluded
),

site as (
    select ticket.site_key
    from ticket
    where ticket.is_reported
        and ticket.kind = 'disorder'
        and ticket.site_key is not null
        and not list_contains(ticket.excluded_for, 'cg7')
    group by ticket.site_key
    having count(*) >= 5
        and count(ticket.unsettled) > 0
),

-- Each indicator with whom it counts, and why one of those is lost.
judged as (
    select
        ticket.source, ticket.ticket_id, ticket.grid_id, ticket.site_key, ticket.weight,
        ticket.reported_at, ticket.due_at, ticket.excluded_for, ticket.file, ticket.sheet, ticket.row_no,
        unnest(list_filter([
            ('zf1', ticket.is_due and ticket.kind = 'dispute', ticket.unsettled),
            ('zf8', ticket.is_due and ticket.kind = 'hazard' and ticket.line = 'law', ticket.unsettled),
            ('aj2', ticket.is_due and ticket.kind = 'hazard' and ticket.line = 'safety', ticket.unsettled),
            ('aj3', ticket.kind = 'hazard' and ticket.line = 'safety'
                and ticket.reinspect_due_at >= $month and ticket.reinspect_due_at < $month + interval 1 month,
                case when not coalesce(ticket.reinspected_at <= ticket.reinspect_due_at, false) then 'not_reinspected' end),
            ('hb5a', ticket.is_reported and ticket.kind = 'complaint' and ticket.line = 'environment', 'complaint'),
            ('hb5b', ticket.is_due and ticket.kind = 'complaint' and ticket.line = 'environment', ticket.unsettled),
            ('hb6', ticket.is_reported and ticket.line = 'environment',
                case when ticket.settled_at::date is distinct from ticket.reported_at::date then 'not_same_day' end),
            ('cg1', ticket.is_due and ticket.line = 'city', ticket.unsettled),
            ('cg2', ticket.is_due and ticket.line = 'city', case when not ticket.is_on_time then 'late' end),
            ('cg3', ticket.is_closed and ticket.line = 'city', case when ticket.rework_count > 0 then 'reworked' end),
            ('cg4', (ticket.is_due or ticket.is_brought_in) and ticket.line = 'city', case when ticket.is_overdue_open then 'overdue' end),
            ('cg5', ticket.is_due and ticket.line = 'city', case when ticket.is_postponed then 'postponed' end),
            ('cg7', ticket.is_reported and ticket.kind = 'disorder' and coalesce(ticket.site_key in (select site.site_key from site), false), 'repeated_site')
        ]::struct(indicator text, is_counted boolean, against text)[], lambda rule: rule.is_counted), recursive := true)
    from ticket
),

counted as (
    select
        'ticket' as kind, indicator, source, ticket_id as record, grid_id, site_key as site,
        reported_at::date as day, due_at::date as due_day, against,
        case when indicator in ('zf8', 'aj2') then weight else 1 end::bigint as weight,
        indicator not in ('hb5a', 'cg7') as is_base, file, sheet, row_no
    from judged
    where not list_contains(excluded_for, indicator)
    union all
    select 'repair', indicator, source, record, grid_id, null, day, due_day, against, 1, is_base, file, sheet, row_no
    from bulletin.counted_repair
    where month = $month
    union all
    select 'activity', indicator, source, record, grid_id, null, day, null, null, 1, false, file, sheet, row_no
    from bulletin.counted_activity
    where month = $month
)

select
    $month as month,
    unit.community_id,
    community.name as community,
    counted.grid_id,
    rubric.line,
    upper(counted.indicator) as indicator,
    counted.kind,
    counted.source,
    counted.record,
    counted.day,
    counted.due_day,
    counted.site,
    counted.against,
    counted.against is not null as is_against,
    counted.weight,
    counted.is_base,
    counted.file, counted.sheet, counted.row_no
from counted
inner join core.month_unit as unit
    on counted.grid_id = unit.grid_id
    and unit.month = $month
inner join core.month_unit as community
    on unit.community_id = community.grid_id
    and community.month = $month
inner join seed.rubric as rubric
    on counted.indicator = rubric.indicator
    and rubric.valid_from <= $month
    and (rubric.valid_to is null or rubric.valid_to >= $month)
