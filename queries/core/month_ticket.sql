-- grain: one row per ticket that the month has to do with
-- rule: only what had happened before the month's end counts; a ticket is
--   settled when it was handled or closed; void, hung, out of duty and granted
--   exclusions are out of every count, with the reason
-- build: month
with seen as (
    select
        ticket.* exclude (disposed_at, closed_at, reinspected_at),
        case when ticket.disposed_at < info.month_end then ticket.disposed_at end as disposed_at,
        case when ticket.closed_at < info.month_end then ticket.closed_at end as closed_at,
        case when ticket.reinspected_at < info.month_end then ticket.reinspected_at end as reinspected_at,
        info.month_start,
        info.month_end,
        info.cutoff_at
    from core.ticket as ticket
    inner join core.month_info as info
        on info.month = $month
    -- The one look at all tickets in a month.
    where ticket.reported_at < $month + interval 1 month
        and (
            ticket.reported_at >= $month
            or ticket.due_at >= $month
            or ticket.reinspect_due_at >= $month
            or coalesce(ticket.disposed_at, ticket.closed_at) is null
            or ticket.disposed_at >= $month
            or ticket.closed_at >= $month
        )
),

settled as (
    select
        seen.*,
        coalesce(seen.disposed_at, seen.closed_at) as settled_at
    from seen
),

-- Only what was approved counts; "all" takes the ticket out of every count, an
-- indicator out of that one.
excluded as (
    select
        exclusion.ticket_source as source,
        exclusion.ticket_id,
        max(exclusion.reason) filter (exclusion.metric_set = 'all') as reason,
        list(distinct exclusion.metric_set order by exclusion.metric_set) as metric_sets
    from core.exclusion as exclusion
    where exclusion.approved_by is not null
    group by exclusion.ticket_source, exclusion.ticket_id
)

select
    $month as month,
    settled.source,
    settled.ticket_id,
    map.unit_id as grid_id,
    settled.line,
    settled.kind,
    settled.category,
    settled.site_key,
    -- The post held on the day answers for a ticket without a person.
    coalesce(settled.staff_id, (
        select min(post.staff_id)
        from seed.assignment as post
        where post.grid_id = settled.grid_id
            and post.role = '网格员'
            and settled.reported_at::date >= post.valid_from
            and settled.reported_at::date
            <= coalesce(post.valid_to, date '9999-12-31')
    )) as staff_id,
    settled.channel, settled.urgency, settled.weight,
    settled.reported_at, settled.due_at, settled.disposed_at, settled.closed_at, settled.settled_at,
    settled.state, settled.satisfaction, settled.is_contacted, settled.is_resolved,
    settled.rework_count, settled.is_postponed, settled.repeat_of, settled.helping_lines,
    settled.reinspect_due_at, settled.reinspected_at,
    settled.reported_at >= settled.month_start as is_reported,
    coalesce(settled.due_at >= settled.month_start and settled.due_at < settled.month_end, false) as is_due,
    coalesce(settled.closed_at >= settled.month_start, false) as is_closed,
    coalesce(settled.due_at < settled.month_end and settled.settled_at is null, false) as is_overdue_open,
    coalesce(settled.due_at < settled.month_start and (settled.settled_at is null or settled.settled_at >= settled.month_start), false) as is_brought_in,
    coalesce(settled.settled_at <= settled.due_at, false) as is_on_time,
    settled.state in ('void', 'hung', 'out_of_duty') or excluded.reason is not null as is_excluded,
    case settled.state
        when 'void' then '作废'
        when 'hung' then '挂账'
        when 'out_of_duty' then '超职责'
        else excluded.reason
    end as exclusion_reason,
    coalesce(excluded.metric_sets, []) as excluded_for,
    settled.first_delivered_at >= settled.cutoff_at as is_late,
    settled.file,
    settled.sheet,
    settled.row_no
from settled
inner join core.month_map as map
    on settled.grid_id = map.grid_id
    and map.month = $month
left join excluded
    on settled.source = excluded.source
    and settled.ticket_id = excluded.ticket_id
