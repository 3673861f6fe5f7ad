-- grain: one row per month
-- rule: the figures of the summary; rates in percent to one place
-- build: month
with extreme as (
    select
        arg_min(unit.name, (ranking.place, ranking.grid_id)) as first_name,
        max(ranking.total) as first_total,
        arg_max(unit.name, (ranking.place, ranking.grid_id)) as last_name,
        min(ranking.total) as last_total,
        count(*) as units
    from ranking.total as ranking
    inner join core.month_unit as unit
        on ranking.grid_id = unit.grid_id
        and ranking.month = unit.month
    where ranking.month = $month
        and ranking.level = 2
        and ranking.place is not null
),

ticket as (
    select
        ticket.month,
        count(*) filter (ticket.is_reported) as reported,
        count(*) filter (ticket.is_due and not ticket.is_excluded) as due,
        count(*) filter (ticket.is_due and ticket.is_on_time and not ticket.is_excluded) as on_time,
        count(*) filter (ticket.is_overdue_open and not ticket.is_excluded) as overdue,
        count(*) filter (ticket.is_excluded and (ticket.is_reported or ticket.is_due)) as excluded
    from core.month_ticket as ticket
    where ticket.month in ($month, $month - interval 1 month)
    group by ticket.month
),

repair as (
    select
        count(*) filter (repair.is_reported and not repair.is_excluded) as reported,
        count(*) filter (repair.is_finished and not repair.is_excluded) as finished,
        count(*) filter (repair.is_reported and not repair.is_excluded and repair.kind = '渗漏') as leaks
    from core.month_repair as repair
    where repair.month = $month
),

rows_in as (
    select
        coalesce(sum(load.rows_in), 0)::bigint as rows_in,
        coalesce(sum(load.rows_current), 0)::bigint as rows_current,
        coalesce(sum(load.rows_superseded), 0)::bigint as rows_superseded,
        coalesce(sum(load.rows_quarantined), 0)::bigint as rows_quarantined,
        count(*) as loads
    from core.month_load as load
    where load.month = $month
)

select
    $month as month,
    info.rubric_version,
    info.rubric_name,
    (info.cutoff_at - interval 1 day)::date as cutoff_date,
    extreme.first_name,
    extreme.first_total,
    extreme.last_name,
    extreme.last_total,
    extreme.first_total - extreme.last_total as gap,
    extreme.units,
    (
        select count(*)
        from score.total as total
        where total.month = $month
            and total.level = 2
            and total.is_provisional
    ) as provisional_units,
    coalesce(ticket.reported, 0) as tickets_reported,
    coalesce(ticket.due, 0) as tickets_due,
    coalesce(ticket.on_time, 0) as tickets_on_time,
    round(100.0 * ticket.on_time / nullif(ticket.due, 0), 1)::decimal(5, 1) as on_time_rate,
    round(100.0 * before.on_time / nullif(before.due, 0), 1)::decimal(5, 1) as last_on_time_rate,
    before.reported as last_tickets_reported,
    coalesce(ticket.overdue, 0) as tickets_overdue,
    coalesce(ticket.excluded, 0) as tickets_excluded,
    coalesce(repair.reported, 0) as repairs_reported,
    coalesce(repair.finished, 0) as repairs_finished,
    coalesce(repair.leaks, 0) as leaks,
    (
        select fund.amount
        from bulletin.fund as fund
        where fund.month = $month
            and fund.item = 'available'
    ) as fund_available,
    rows_in.*
from core.month_info as info
cross join extreme
cross join repair
cross join rows_in
left join ticket
    on ticket.month = $month
left join ticket as before
    on before.month = $month - interval 1 month
where info.month = $month
