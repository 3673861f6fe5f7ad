-- grain: one row per ticket of a source
-- rule: due is what was extended, else what the platform gave, else what our
--   clocks say (kept beside it); a day limit counts from the day after receipt
-- build: merge on source, source_key
with time_limit as (
    select
        category.category,
        category.line,
        category.kind,
        urgency.urgency,
        coalesce(special.amount, usual.amount) as amount,
        coalesce(special.clock, usual.clock) as clock
    from seed.category as category
    cross join (values ('normal'), ('urgent'), ('emergency'))
        as urgency(urgency)
    left join seed.time_limit as special
        on category.category = special.category
        and urgency.urgency = special.urgency
        and special.stage = 'settle'
    left join seed.time_limit as usual
        on usual.category = '*'
        and urgency.urgency = usual.urgency
        and usual.stage = 'settle'
),

-- The second of the clock at which the time is up. On a closed day the clock
-- stands where it stood at the last closing.
started as (
    select
        ticket.*,
        time_limit.line,
        time_limit.kind,
        time_limit.clock,
        (clock.closes_minute - clock.opens_minute) * 60 as day_seconds,
        -- Null for the other clocks: a condition on the clock in the join below
        -- would make the engine compare every ticket with every day.
        case
            when time_limit.clock = 'working_day'
                then start_day.working_day_no + time_limit.amount
        end as due_day_no,
        start_clock.minutes_before * 60
        + least(
            greatest(
                epoch(ticket.reported_at)::bigint % 86400
                - start_clock.opens_minute * 60, 0
            ), start_clock.open_minutes * 60
        ) + time_limit.amount
        * case time_limit.clock when 'minute' then 60 else 3600 end as up_second
    from landed.ticket as ticket
    left join time_limit
        on ticket.category = time_limit.category
        and coalesce(ticket.urgency, 'normal') = time_limit.urgency
    left join seed.clock as clock
        on time_limit.clock = clock.clock
    left join seed.calendar as start_day
        on ticket.reported_at::date = start_day.day
    left join seed.clock_day as start_clock
        on time_limit.clock = start_clock.clock
        and ticket.reported_at::date = start_clock.day
),

timed as (
    select
        started.* exclude (clock, day_seconds, due_day_no, up_second),
        case
            when started.clock = 'working_day'
                then due_day.day + interval 86399 second
            else due_clock.day + to_seconds(
                due_clock.opens_minute * 60
                + (started.up_second - 1) % started.day_seconds + 1
            )
        end as due_computed_at
    from started
    left join seed.calendar as due_day
        on started.due_day_no = due_day.working_day_no
        and due_day.is_working
    -- The days on which the clock runs at all, numbered from the first.
    left join seed.clock_day as due_clock
        on started.clock = due_clock.clock
        and (started.up_second - 1) // started.day_seconds
        = due_clock.minutes_before // due_clock.open_minutes
)

select
    timed.*,
    coalesce(
        timed.extended_due_at, timed.due_given_at, timed.due_computed_at
    ) as due_at,
    case
        when timed.severity = 'serious' or timed.is_leader_assigned then 2
        else 1
    end::bigint as weight
from timed
