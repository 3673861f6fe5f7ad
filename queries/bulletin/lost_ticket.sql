-- grain: one row per ticket and indicator that it counts against
-- rule: the ticket rows behind each ticket indicator, by the same words as its
--   own query; weight is what it adds to what is counted. The check
--   lost_record_disagrees holds both together
-- build: month
with ticket as (
    select ticket.*
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
        and count(*) filter (ticket.settled_at is null) > 0
),

judged as (
    select
        ticket.source,
        ticket.ticket_id,
        ticket.grid_id,
        ticket.site_key,
        ticket.reported_at,
        ticket.due_at,
        ticket.excluded_for,
        ticket.weight,
        rule.indicator,
        rule.against
    from ticket
    left join site
        on ticket.site_key = site.site_key
    cross join lateral (
        values
            ('zf1', 'unsettled', ticket.is_due and ticket.kind = 'dispute' and ticket.settled_at is null),
            ('zf8', 'unsettled', ticket.is_due and ticket.kind = 'hazard' and ticket.line = 'law' and ticket.settled_at is null),
            ('aj2', 'unsettled', ticket.is_due and ticket.kind = 'hazard' and ticket.line = 'safety' and ticket.settled_at is null),
            ('aj3', 'not_reinspected', ticket.kind = 'hazard' and ticket.line = 'safety'
                and ticket.reinspect_due_at >= $month and ticket.reinspect_due_at < $month + interval 1 month
                and not coalesce(ticket.reinspected_at <= ticket.reinspect_due_at, false)),
            ('hb5a', 'complaint', ticket.is_reported and ticket.kind = 'complaint' and ticket.line = 'environment'),
            ('hb5b', 'unsettled', ticket.is_due and ticket.kind = 'complaint' and ticket.line = 'environment' and ticket.settled_at is null),
            ('hb6', 'not_same_day', ticket.is_reported and ticket.line = 'environment'
                and ticket.settled_at::date is distinct from ticket.reported_at::date),
            ('cg1', 'unsettled', ticket.is_due and ticket.line = 'city' and ticket.settled_at is null),
            ('cg2', 'late', ticket.is_due and ticket.line = 'city' and not ticket.is_on_time),
            ('cg3', 'reworked', ticket.is_closed and ticket.line = 'city' and ticket.rework_count > 0),
            ('cg4', 'overdue', (ticket.is_due or ticket.is_brought_in) and ticket.line = 'city' and ticket.is_overdue_open),
            ('cg5', 'postponed', ticket.is_due and ticket.line = 'city' and ticket.is_postponed),
            ('cg7', 'repeated_site', ticket.is_reported and ticket.kind = 'disorder' and site.site_key is not null)
    ) as rule(indicator, against, is_against)
    where rule.is_against
)

select
    $month as month,
    judged.indicator,
    judged.source,
    judged.ticket_id as record,
    judged.grid_id,
    judged.site_key as site,
    judged.reported_at::date as day,
    judged.due_at::date as due_day,
    judged.against,
    case when judged.indicator in ('zf8', 'aj2') then judged.weight else 1 end::bigint as weight
from judged
where not list_contains(judged.excluded_for, judged.indicator)
order by judged.indicator, judged.source, judged.ticket_id
